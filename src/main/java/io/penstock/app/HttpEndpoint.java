package io.penstock.app;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Supplier;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.ChannelBindException;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.resources.LoopResources;

/** {@code /metrics} for Prometheus and {@code /health}, on one event loop of its own. */
final class HttpEndpoint implements AutoCloseable {
  private static final Duration QUIET = Duration.ZERO;
  private static final Duration IDLE = Duration.ofMinutes(2);
  private static final Duration TIMEOUT = Duration.ofMillis(500);

  private final LoopResources loop;
  private final PrometheusMeterRegistry registry;
  private final RunMeters meters;
  private final Supplier<RunSnapshot> latest;
  private final DisposableServer server;

  /**
   * Listens; what it answers is what {@code latest} gives at that time.
   *
   * @param port 0: any free one
   * @throws StartException where the port cannot be had
   */
  HttpEndpoint(String bind, int port, Supplier<RunSnapshot> latest, DeadLetters deadLetters) {
    this.latest = latest;
    registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    meters = new RunMeters(latest, deadLetters);
    meters.bindTo(registry);
    loop = LoopResources.create("penstock-http", 1, true);
    try {
      server = listen(bind, port);
    } catch (ChannelBindException e) {
      close(loop);
      throw new StartException(
          "http.port: cannot listen on %s:%d (%s); name a free port with --set http.port=N, or 0 for any"
              .formatted(
                  bind, port, e.getCause() == null ? e.getMessage() : Causes.of(e.getCause())),
          e);
    }
  }

  /** Where it listens. */
  String address() {
    InetSocketAddress address = (InetSocketAddress) server.address();
    return "http://%s:%d".formatted(address.getHostString(), address.getPort());
  }

  @Override
  public void close() {
    server.disposeNow(TIMEOUT);
    close(loop);
    registry.close();
  }

  private DisposableServer listen(String bind, int port) {
    return HttpServer.create()
        .runOn(loop)
        .host(bind)
        .port(port)
        .idleTimeout(IDLE)
        .route(
            routes ->
                routes
                    .get("/metrics", (request, response) -> metrics(response))
                    .get("/health", (request, response) -> health(response))
                    .get("/", (request, response) -> index(response)))
        .bindNow();
  }

  private Publisher<Void> metrics(HttpServerResponse response) {
    return text(response, "text/plain; version=0.0.4; charset=utf-8", registry.scrape());
  }

  /** 200 while the run can train and after it has ended well; 503 before it has begun and after it has failed. */
  private Publisher<Void> health(HttpServerResponse response) {
    RunSnapshot run = latest.get();
    boolean well =
        switch (run.state()) {
          case RUNNING, STOPPING, ENDED -> true;
          case STARTING, FAILED -> false;
        };
    response.status(well ? HttpResponseStatus.OK : HttpResponseStatus.SERVICE_UNAVAILABLE);
    return text(
        response,
        "application/json",
        "{\"state\":\"%s\",\"records\":%d,\"rejected\":%d}\n"
            .formatted(
                run.state().name().toLowerCase(Locale.ROOT),
                run.rows().trained(),
                run.rows().rejected()));
  }

  private Publisher<Void> index(HttpServerResponse response) {
    return text(
        response,
        "text/plain; charset=utf-8",
        "Penstock %s\n\n/metrics  for Prometheus\n/health   200 while all is well\n"
            .formatted(Version.TEXT));
  }

  private static Publisher<Void> text(HttpServerResponse response, String type, String body) {
    return response.header(HttpHeaderNames.CONTENT_TYPE, type).sendString(Mono.just(body)).then();
  }

  private static void close(LoopResources loop) {
    loop.disposeLater(QUIET, TIMEOUT).block(TIMEOUT.multipliedBy(2));
  }
}
