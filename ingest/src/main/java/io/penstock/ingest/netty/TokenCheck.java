package io.penstock.ingest.netty;

import io.netty.buffer.ByteBuf;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.config.Token;
import io.penstock.ingest.codec.SourceException;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Whether senders give the token, where one is asked for; counts those that do not. Thread-safe. */
final class TokenCheck {
  /** How the line of a sender begins that gives it. */
  static final String WORD = "token ";

  private static final String CODE = "token";

  private final @Nullable Token wanted;
  private final Duration within;
  private final LongAdder failures = new LongAdder();

  /**
   * What {@code settings} ask for.
   *
   * @param within time that a sender has to give it
   * @throws SourceException where the token is not where the settings say
   */
  TokenCheck(Tcp settings, Duration within) {
    try {
      wanted = settings.token() == null ? null : settings.token().read();
    } catch (IllegalArgumentException e) {
      throw new SourceException("source.tcp.token: " + e.getMessage(), e);
    }
    this.within = within;
  }

  boolean isAsked() {
    return wanted != null;
  }

  /** Connections that gave none, or a wrong one. */
  long failures() {
    return failures.sum();
  }

  /**
   * Checks what a sender gave.
   *
   * @throws RefusedException where that is not the token
   */
  void check(@Nullable String given) {
    if (wanted != null && !wanted.isGiven(given)) {
      throw refused(
          given == null
              ? "give the token first: 'token TOKEN' is the first line, or with acknowledgements 'penstock/1 producer=ID token=TOKEN'"
              : "this is not the token");
    }
  }

  /**
   * Takes the line of a sender that gives it; null where it has not come.
   *
   * @throws RefusedException where that is not the token
   */
  @Nullable Boolean readLine(ByteBuf seen) {
    String line;
    try {
      line = Handshake.line(seen);
    } catch (RefusedException tooLong) {
      line = "";
    }
    if (line == null) {
      return null;
    }
    check(line.startsWith(WORD) ? line.substring(WORD.length()) : null);
    return Boolean.TRUE;
  }

  /** The same, failing with a {@link RefusedException} where the token is asked for and {@code given} does not come in time. */
  <T> Mono<T> inTime(Mono<T> given, TcpPartition connection) {
    return wanted == null
        ? given
        : given.timeout(
            within,
            Mono.error(() -> refused("no token within %d ms".formatted(within.toMillis()))),
            Schedulers.fromExecutorService(connection.loop()));
  }

  private RefusedException refused(String why) {
    failures.increment();
    return new RefusedException(CODE, why);
  }
}
