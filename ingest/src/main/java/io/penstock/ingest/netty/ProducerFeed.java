package io.penstock.ingest.netty;

import io.penstock.config.SourceConfig.Generator;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sender that numbers its rows and is told what became of them (docs/tcp-protocol.md). It connects again when a connection
 * breaks, goes on with the row that the receiver names, and ends when that has taken care of all of them. It keeps no state:
 * one that is started again under the same name goes on as well.
 *
 * <p>Blocking: the caller's thread reads and sends, a virtual one hears what the receiver says.
 *
 * @param producer the name it goes by
 * @param linesPerSecond the rate; 0: as fast as they are taken
 * @param reconnectWithin how long to go on trying where nobody answers or nothing moves
 * @param untilDurable whether a receiver that keeps no checkpoints is an error
 */
public record ProducerFeed(
    String host,
    int port,
    String producer,
    double linesPerSecond,
    Duration reconnectWithin,
    boolean untilDurable) {
  private static final Logger log = LoggerFactory.getLogger(ProducerFeed.class);
  private static final NanoClock CLOCK = SystemNanoClock.INSTANCE;
  private static final int MOST_ROWS_AT_ONCE = 1024;
  private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /**
   * Sends a file, whose first line names the columns unless it is JSON ({@link Feed#hasHeader}); lines without anything in them are left out.
   *
   * @throws FeedException where it cannot be read, the receiver refuses it, or nobody answers in time
   */
  public FeedResult file(Path path) {
    return send(() -> ProducerRows.OfFile.open(path));
  }

  /**
   * Sends the rows of a synthetic stream.
   *
   * @throws FeedException as {@link #file}
   */
  public FeedResult generator(Generator generator) {
    return send(() -> new ProducerRows.OfGenerator(generator));
  }

  private FeedResult send(Callable<ProducerRows> input) {
    Progress progress = new Progress();
    long pause = FIRST_PAUSE_NANOS;
    while (true) {
      long before = progress.firstUnsent;
      try (ProducerRows rows = open(input)) {
        return attempt(rows, progress);
      } catch (IOException e) {
        pause = progress.firstUnsent > before ? FIRST_PAUSE_NANOS : pause;
        if (CLOCK.nanoTime() - progress.movedAt > reconnectWithin.toNanos()) {
          throw new FeedException(
              "feed to %s:%d: given up after %d s without getting on: %s"
                  .formatted(host, port, reconnectWithin.toSeconds(), e.getMessage()),
              e);
        }
        log.debug("feed: connecting again: {}", e.toString());
        LockSupport.parkNanos(pause);
        pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
      }
    }
  }

  private static ProducerRows open(Callable<ProducerRows> input) {
    try {
      return input.call();
    } catch (Exception e) {
      throw new FeedException("feed: cannot read what is to be sent: " + e.getMessage(), e);
    }
  }

  private FeedResult attempt(ProducerRows rows, Progress progress) throws IOException {
    try (Socket socket = new Socket()) {
      int timeout = Math.clamp(reconnectWithin.toMillis(), 1, Integer.MAX_VALUE);
      socket.connect(new InetSocketAddress(host, port), timeout);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(timeout);
      Conversation conversation = new Conversation(socket, progress);
      conversation.introduce(rows);
      socket.setSoTimeout(0);
      Thread listening = Thread.ofVirtual().start(conversation::listen);
      try {
        conversation.send(rows);
      } catch (IOException e) {
        // What the receiver said last is the better reason.
        conversation.awaitLastWord(listening);
        throw conversation.reason(e);
      }
      return progress.result();
    }
  }

  /** What outlives a connection. */
  private static final class Progress {
    private final long begun = CLOCK.nanoTime();
    private long movedAt = begun;
    private long epoch = Handshake.NEW_EPOCH;
    private long first = -1;
    private long firstUnsent;
    private long bytes;
    private long end;

    FeedResult result() {
      return new FeedResult(end - Math.max(0, first), bytes, (CLOCK.nanoTime() - begun) / 1e9);
    }
  }

  /** One connection. */
  private final class Conversation {
    private final Progress progress;
    private final BufferedReader in;
    private final OutputStream out;
    private long next;
    private long window;

    // Written by who reads, the listening thread but for the handshake:
    private volatile long durable;
    private volatile boolean closed;
    private volatile long ended = -1;
    private volatile @Nullable String refusal;
    private final Semaphore news = new Semaphore(0);

    Conversation(Socket socket, Progress progress) throws IOException {
      this.progress = progress;
      in =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      out = new BufferedOutputStream(new Counting(socket.getOutputStream()), 64 << 10);
    }

    /** Says who it is, and hears where to go on. */
    void introduce(ProducerRows rows) throws IOException {
      String epoch = progress.epoch == Handshake.NEW_EPOCH ? "" : " epoch=" + progress.epoch;
      say("penstock/1 producer=" + producer + epoch);
      rows.writeHeader(out);
      out.flush();
      String welcome = in.readLine();
      if (welcome == null) {
        throw new IOException(
            "closed in the handshake; the receiver needs source.tcp.acknowledge for --producer");
      }
      heard(welcome);
      if (!welcome.startsWith("welcome ")) {
        throw reason(new IOException("not understood: " + welcome));
      }
      progress.epoch = number(welcome, "epoch");
      next = number(welcome, "next");
      window = number(welcome, "window");
      if (welcome.contains(" durable=no")) {
        if (untilDurable) {
          throw new FeedException(
              "feed to %s:%d: --until-durable: the receiver keeps no checkpoints, so nothing becomes durable there"
                  .formatted(host, port));
        }
      } else {
        durable = number(welcome, "durable");
      }
      progress.first = progress.first < 0 ? next : progress.first;
      progress.movedAt = CLOCK.nanoTime();
    }

    /** Sends what is wanted, says that it was all, and waits for the receiver to have taken care of it. */
    void send(ProducerRows rows) throws IOException {
      long skipped = rows.skip(next);
      if (skipped < next) {
        throw new FeedException(
            "feed to %s:%d: the receiver has %d rows of producer %s, but there are only %d; another input needs another --producer"
                .formatted(host, port, next, producer, skipped));
      }
      say("rows " + next);
      Pacer pacer = new Pacer(linesPerSecond, CLOCK.nanoTime());
      long row = next;
      int written = -1;
      while (written != 0) {
        int most = (int) Math.min(MOST_ROWS_AT_ONCE, allowance(pacer, row));
        written = rows.write(out, most);
        pacer.sent(written);
        row += written;
        moved(row);
      }
      say("");
      out.flush();
      awaitEnd();
    }

    private void moved(long row) {
      progress.firstUnsent = Math.max(progress.firstUnsent, row);
      progress.movedAt = CLOCK.nanoTime();
    }

    /** Waits until a row may be sent; answers how many may. */
    private long allowance(Pacer pacer, long row) throws IOException {
      long allowed = pacer.allowance(CLOCK.nanoTime());
      if (allowed == 0) {
        out.flush();
      }
      while (allowed == 0) {
        LockSupport.parkNanos(pacer.pauseNanos());
        allowed = pacer.allowance(CLOCK.nanoTime());
      }
      if (window == 0) {
        return allowed;
      }
      while (row - durable >= window) {
        out.flush();
        waitForNews();
      }
      return Math.min(allowed, durable + window - row);
    }

    private void awaitEnd() throws IOException {
      while (ended < 0) {
        waitForNews();
      }
      progress.end = ended;
    }

    private void waitForNews() throws IOException {
      if (closed) {
        throw new IOException("closed by the receiver");
      }
      try {
        news.acquire();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new FeedException("feed: interrupted", e);
      }
    }

    void listen() {
      try {
        for (String line = in.readLine(); line != null; line = in.readLine()) {
          heard(line);
        }
      } catch (IOException e) {
        log.debug("feed: {}", e.toString());
      }
      closed = true;
      news.release();
    }

    private void heard(String line) {
      String[] words = line.split(" ", 2);
      switch (words[0]) {
        case "durable" -> durable = Math.max(durable, Long.parseLong(words[1]));
        case "ended" -> ended = Long.parseLong(words[1]);
        case "fenced", "error" -> refusal = line;
        default -> {} // welcome, received; a rewind is followed by the next handshake
      }
      news.release();
    }

    void awaitLastWord(Thread listening) {
      try {
        listening.join(Duration.ofSeconds(2));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** An error that ends the feed where the receiver gave its reason; otherwise {@code broken}, after which it is tried again. */
    IOException reason(IOException broken) {
      String refusal = this.refusal;
      if (refusal == null || refusal.startsWith("error over")) {
        return broken;
      }
      throw new FeedException(
          refusal.startsWith("fenced")
              ? "feed to %s:%d: another producer %s has taken over (%s)"
                  .formatted(host, port, producer, refusal)
              : "feed to %s:%d: refused: %s".formatted(host, port, refusal),
          broken);
    }

    private void say(String line) throws IOException {
      out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private long number(String welcome, String key) {
      for (String word : welcome.split(" ", -1)) {
        if (word.startsWith(key + "=")) {
          return Long.parseLong(word.substring(key.length() + 1));
        }
      }
      throw new FeedException("feed to %s:%d: not understood: %s".formatted(host, port, welcome));
    }

    /** Counts what is written. */
    private final class Counting extends FilterOutputStream {
      Counting(OutputStream out) {
        super(out);
      }

      @Override
      public void write(byte[] bytes, int from, int length) throws IOException {
        out.write(bytes, from, length);
        progress.bytes += length;
      }
    }
  }
}
