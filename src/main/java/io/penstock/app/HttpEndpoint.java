package io.penstock.app;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.penstock.config.Config.HttpConfig;
import io.penstock.config.Token;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Mono;
import reactor.netty.ChannelBindException;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import reactor.netty.http.server.HttpServerRoutes;
import reactor.netty.resources.LoopResources;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code /metrics} for Prometheus, {@code /health} and predictions, on one event loop of its own. Where the settings ask for a token,
 * every request but {@code GET /health} must bring it.
 */
final class HttpEndpoint implements AutoCloseable {
  private static final String SCHEME = "Bearer ";
  private static final Duration QUIET = Duration.ZERO;
  private static final Duration IDLE = Duration.ofMinutes(2);
  private static final Duration TIMEOUT = Duration.ofMillis(500);

  private final LoopResources loop;
  private final PrometheusMeterRegistry registry;
  private final RunMeters meters;
  private final Supplier<RunSnapshot> latest;
  private final Supplier<CompletableFuture<Checkpoints.Made>> checkpoint;
  private final PredictRoute predict;
  private final String bind;
  private final @Nullable Token token;
  private final LongAdder unauthorized = new LongAdder();
  private final DisposableServer server;

  /**
   * Listens; what it answers is what {@code latest} gives at that time.
   *
   * @throws StartException where the port cannot be had, or the token cannot be read
   */
  HttpEndpoint(
      HttpConfig settings,
      Supplier<RunSnapshot> latest,
      Supplier<CompletableFuture<Checkpoints.Made>> checkpoint,
      LiveModel model,
      DeadLetters deadLetters) {
    this.latest = latest;
    this.checkpoint = checkpoint;
    predict = new PredictRoute(model);
    registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    bind = settings.bind();
    token = token(settings);
    meters = new RunMeters(latest, model::status, deadLetters, unauthorized);
    meters.bindTo(registry);
    loop = LoopResources.create("penstock-http", 1, true);
    try {
      server = listen(settings.port());
    } catch (ChannelBindException e) {
      close(loop);
      throw new StartException(
          "http.port: cannot listen on %s:%d (%s); name a free port with --set http.port=N, or 0 for any"
              .formatted(
                  settings.bind(),
                  settings.port(),
                  e.getCause() == null ? e.getMessage() : Causes.of(e.getCause())),
          e);
    }
  }

  /** Where it listens. */
  String address() {
    int port = ((InetSocketAddress) server.address()).getPort();
    return "http://%s:%d".formatted(bind.contains(":") ? "[" + bind + "]" : bind, port);
  }

  @Override
  public void close() {
    server.disposeNow(TIMEOUT);
    close(loop);
    registry.close();
  }

  private static @Nullable Token token(HttpConfig settings) {
    try {
      return settings.token() == null ? null : settings.token().read();
    } catch (IllegalArgumentException e) {
      throw new StartException("http.token: " + e.getMessage(), e);
    }
  }

  private DisposableServer listen(int port) {
    HttpServerRoutes routes = HttpServerRoutes.newRoutes();
    routes
        .get("/metrics", (request, response) -> metrics(response))
        .get("/health", (request, response) -> health(response))
        .post("/v1/checkpoint", (request, response) -> checkpoint(response))
        .post("/v1/predict", predict::handle)
        .get("/", (request, response) -> index(response));
    return HttpServer.create()
        .runOn(loop)
        .host(bind)
        .port(port)
        .idleTimeout(IDLE)
        .handle(
            (request, response) ->
                isAuthorized(request) ? routes.apply(request, response) : refuse(response))
        .bindNow();
  }

  /** By a bearer token (RFC 6750); whoever watches over the process needs none to ask whether it is well. */
  private boolean isAuthorized(HttpServerRequest request) {
    if (token == null
        || (request.method().equals(HttpMethod.GET) && request.fullPath().equals("/health"))) {
      return true;
    }
    String given = request.requestHeaders().get(HttpHeaderNames.AUTHORIZATION);
    return given != null
        && given.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        && token.isGiven(given.substring(SCHEME.length()).strip());
  }

  private Publisher<Void> refuse(HttpServerResponse response) {
    unauthorized.increment();
    response
        .status(HttpResponseStatus.UNAUTHORIZED)
        .header(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"penstock\"");
    return text(
        response,
        "text/plain; charset=utf-8",
        "401: http.token is asked for: Authorization: Bearer TOKEN\n");
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
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("state", run.state().name().toLowerCase(Locale.ROOT));
    json.put("records", run.rows().trained());
    json.put("rejected", run.rows().rejected());
    if (run.setbacks().skippedInARow() > 0) {
      json.put("skippedInARow", run.setbacks().skippedInARow());
    }
    if (run.saved().failure() != null) {
      // Not a 503: whoever restarts what is ill would lose what could not be saved.
      json.put("checkpointFailure", run.saved().failure());
    }
    return text(response, "application/json", json + "\n");
  }

  /** 200 when the checkpoint is on the medium; 503 where there is none, and why. */
  private Publisher<Void> checkpoint(HttpServerResponse response) {
    return Mono.fromFuture(checkpoint.get(), true)
        .map(HttpEndpoint::json)
        .onErrorResume(
            why -> {
              response.status(HttpResponseStatus.SERVICE_UNAVAILABLE);
              return Mono.just(
                  JsonMapper.shared().createObjectNode().put("failure", Causes.of(why)));
            })
        .flatMap(json -> Mono.from(text(response, "application/json", json + "\n")));
  }

  private static ObjectNode json(Checkpoints.Made made) {
    ObjectNode json = JsonMapper.shared().createObjectNode();
    json.put("file", made.file().toString());
    json.put("number", made.number());
    json.put("records", made.rows());
    json.put("bytes", made.bytes());
    json.put("seconds", made.seconds());
    return json;
  }

  private Publisher<Void> index(HttpServerResponse response) {
    return text(
        response,
        "text/plain; charset=utf-8",
        "Penstock %s\n\n/metrics             for Prometheus\n/health              200 while all is well\nPOST /v1/checkpoint  a checkpoint now\nPOST /v1/predict     predictions for rows in CSV or JSON\n"
            .formatted(Version.TEXT));
  }

  private static Publisher<Void> text(HttpServerResponse response, String type, String body) {
    return response.header(HttpHeaderNames.CONTENT_TYPE, type).sendString(Mono.just(body)).then();
  }

  private static void close(LoopResources loop) {
    loop.disposeLater(QUIET, TIMEOUT).block(TIMEOUT.multipliedBy(2));
  }
}
