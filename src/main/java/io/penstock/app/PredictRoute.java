package io.penstock.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.penstock.app.FittedModel.Cut;
import io.penstock.app.FittedModel.TooManyRows;
import io.penstock.app.LiveModel.NoModel;
import io.penstock.ingest.codec.SourceException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code POST /v1/predict}: rows in the body, CSV or JSON; predictions in the answer. What takes longer than microseconds is done
 * beside the event loop.
 */
final class PredictRoute {
  private static final Logger LOG = LoggerFactory.getLogger(PredictRoute.class);

  /** Bytes of all bodies that are here, whole or in part; beyond them, whoever asks is told to come again. */
  private static final long MOST_HELD_BYTES = 64L << 20;

  private final LiveModel model;
  private final AtomicLong heldBytes = new AtomicLong();

  PredictRoute(LiveModel model) {
    this.model = model;
  }

  /** Why a request is not answered. */
  private static final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1;

    @SuppressWarnings("serial") // never written
    private final HttpResponseStatus status;

    Refusal(HttpResponseStatus status, String why) {
      super(why, null, false, false);
      this.status = status;
    }
  }

  /** A body of bounded size, which counts among those that are held. */
  private final class Body extends ByteArrayOutputStream {
    private final int most;

    Body(int most) {
      super(1024);
      this.most = most;
    }

    void add(byte[] bytes) {
      if (bytes.length > most - count) {
        throw tooLarge(most);
      }
      if (heldBytes.addAndGet(bytes.length) > Math.max(MOST_HELD_BYTES, most)) {
        heldBytes.addAndGet(-bytes.length);
        throw new Refusal(
            HttpResponseStatus.SERVICE_UNAVAILABLE,
            "too many requests wait for an answer; ask again");
      }
      writeBytes(bytes);
    }

    void letGo() {
      heldBytes.addAndGet(-count);
    }

    InputStream in() {
      return new ByteArrayInputStream(buf, 0, count);
    }
  }

  private static Refusal tooLarge(int most) {
    return new Refusal(
        HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE,
        "the body is larger than %d bytes (predictions.maxBytes); ask in several requests"
            .formatted(most));
  }

  /** What the body holds. */
  private enum Kind {
    CSV,
    CSV_WITH_HEADER,
    CSV_WITHOUT_HEADER,
    JSON,
    JSON_LINES;

    static Kind of(@Nullable String contentType) {
      String type = contentType == null ? "" : contentType.toLowerCase(Locale.ROOT);
      String[] parts = type.split(";", -1);
      Kind kind =
          switch (parts[0].strip()) {
            case "text/csv" -> CSV;
            case "application/json" -> JSON;
            case "application/x-ndjson" -> JSON_LINES;
            default -> throw unsupported("content type '%s'".formatted(contentType));
          };
      for (int i = 1; i < parts.length; i++) {
        String parameter = parts[i].strip().replace("\"", "");
        if (kind == CSV && parameter.equals("header=present")) {
          kind = CSV_WITH_HEADER;
        } else if (kind == CSV && parameter.equals("header=absent")) {
          kind = CSV_WITHOUT_HEADER;
        } else if (parameter.startsWith("charset=")
            && !parameter.equals("charset=utf-8")
            && !parameter.equals("charset=us-ascii")) {
          throw unsupported(parameter);
        }
      }
      return kind;
    }

    private static Refusal unsupported(String what) {
      return new Refusal(
          HttpResponseStatus.UNSUPPORTED_MEDIA_TYPE,
          "%s: must be text/csv, application/json or application/x-ndjson, in UTF-8 (curl -H 'Content-Type: text/csv')"
              .formatted(what));
    }

    FittedModel.Rows rows(InputStream in) {
      return switch (this) {
        case CSV -> FittedModel.csv(in, null);
        case CSV_WITH_HEADER -> FittedModel.csv(in, true);
        case CSV_WITHOUT_HEADER -> FittedModel.csv(in, false);
        case JSON -> FittedModel.json(in);
        case JSON_LINES -> FittedModel.jsonLines(in);
      };
    }
  }

  Publisher<Void> handle(HttpServerRequest request, HttpServerResponse response) {
    return Mono.defer(() -> answer(request))
        .onErrorResume(failure -> Mono.just(refuse(response, LiveModel.cause(failure))))
        .flatMap(
            body ->
                response
                    .header(HttpHeaderNames.CONTENT_TYPE, "application/json")
                    .header(HttpHeaderNames.CONTENT_LENGTH, Integer.toString(body.length))
                    .sendObject(Unpooled.wrappedBuffer(body))
                    .then());
  }

  private Mono<byte[]> answer(HttpServerRequest request) {
    Kind kind = Kind.of(request.requestHeaders().get(HttpHeaderNames.CONTENT_TYPE));
    int most = model.maxBytes();
    String length = request.requestHeaders().get(HttpHeaderNames.CONTENT_LENGTH, "0");
    if (length.length() > 10 || Long.parseLong(length) > most) {
      throw tooLarge(most);
    }
    return Mono.using(
        () -> new Body(most),
        body ->
            request
                .receive()
                .asByteArray()
                .doOnNext(body::add)
                .then(Mono.defer(() -> answer(kind, body))),
        Body::letGo);
  }

  /** What takes microseconds is done here, without two hand-overs that take longer. */
  private Mono<byte[]> answer(Kind kind, Body body) {
    long began = model.nanoTime();
    CompletableFuture<?> ready = model.ready();
    if (ready.isDone() && !ready.isCompletedExceptionally()) {
      Answer answer = new Answer(body.size());
      if (answer.writeAtOnce(kind.rows(body.in()), body.size(), began)) {
        return Mono.just(answer.bytes());
      }
    }
    return Mono.fromFuture(
        ready.thenApplyAsync(
            _ -> {
              Answer answer = new Answer(body.size());
              answer.write(kind.rows(body.in()), began);
              return answer.bytes();
            },
            model.thread()),
        true);
  }

  private byte[] refuse(HttpServerResponse response, Throwable why) {
    model.refused();
    HttpResponseStatus status =
        switch (why) {
          case Refusal refusal -> refusal.status;
          case TooManyRows _ -> HttpResponseStatus.REQUEST_ENTITY_TOO_LARGE;
          case SourceException _ -> HttpResponseStatus.BAD_REQUEST;
          case NoModel _, RejectedExecutionException _ -> HttpResponseStatus.SERVICE_UNAVAILABLE;
          default -> HttpResponseStatus.INTERNAL_SERVER_ERROR;
        };
    String text =
        why instanceof RejectedExecutionException
            ? "too many requests wait for an answer; ask again"
            : why.getMessage();
    if (status.equals(HttpResponseStatus.INTERNAL_SERVER_ERROR)) {
      LOG.error("a request could not be answered", why);
    }
    if (status.equals(HttpResponseStatus.SERVICE_UNAVAILABLE)) {
      response.header(HttpHeaderNames.RETRY_AFTER, "1");
    }
    response.status(status);
    return (JsonMapper.shared().createObjectNode().put("error", text) + "\n").getBytes(UTF_8);
  }

  /** The model, then the predictions. */
  private final class Answer extends AnswerWriter.Json {
    private final ByteArrayOutputStream out;
    private final JsonGenerator json;

    Answer(int bytesAsked) {
      this(new ByteArrayOutputStream(256 + bytesAsked));
    }

    private Answer(ByteArrayOutputStream out) {
      this(out, JsonMapper.shared().createGenerator(out));
    }

    private Answer(ByteArrayOutputStream out, JsonGenerator json) {
      super(json);
      this.out = out;
      this.json = json;
    }

    void write(FittedModel.Rows rows, long began) {
      try {
        var _ = model.answer(rows, this, began);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    boolean writeAtOnce(FittedModel.Rows rows, int bytes, long began) {
      try {
        return model.answerAtOnce(rows, bytes, this, began);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void begin(Cut by) {
      super.begin(by);
      Model.Snapshot snapshot = model.describe(by);
      json.writeStartObject();
      json.writeObjectPropertyStart("model");
      json.writeStringProperty("run", snapshot.run());
      json.writeNumberProperty("rows", snapshot.rows());
      json.writeNumberProperty("ageRows", snapshot.ageRows());
      json.writeNumberProperty("ageSeconds", snapshot.ageSeconds());
      json.writeEndObject();
      json.writeArrayPropertyStart("predictions");
    }

    byte[] bytes() {
      json.writeEndArray();
      json.writeEndObject();
      json.writeRaw('\n');
      json.close();
      return out.toByteArray();
    }
  }
}
