package io.penstock.app;

import io.penstock.app.RunOptions.Beginning;
import io.penstock.config.Config;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/**
 * A main of its own for {@link PressureTest}, to be run with a small heap: a sender at full speed against a trainer that takes
 * nothing, then some minibatches, then all. Prints what was seen.
 */
final class PressedRun {
  private static final int ROWS = 1_500_000;

  /** So long must the socket take nothing for the sender to count as blocked. */
  private static final int TRIES = 300;

  private static final String CONFIG =
      """
      source: { tcp: { port: 0, endAfterConnections: 1, format: { csv: { header: true } } } }
      schema:
        label: { field: y, type: class, classes: 2 }
        fields: { "x*": number }
      features: [ standardize: { fields: number } ]
      pipeline: { memory: 4MB }
      batch: { maxDelay: none }
      model: logistic
      http: none
      """;

  private PressedRun() {}

  public static void main(String[] args) throws Exception {
    GatedDevice device = new GatedDevice();
    Config config =
        Config.parse(
            CONFIG,
            "source.tcp.format.csv.columns=[x0, x1, x2, x3, x4, x5, y]",
            "source.tcp.format.csv.header=false");
    Rejected rejected = new Rejected();
    try (TrainingRun run =
            new TrainingRun(config, new RunOptions(0, Beginning.FRESH, rejected), device, null);
        SocketChannel socket =
            SocketChannel.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Runs.port(run)))) {
      run.start();
      socket.configureBlocking(false);
      Sender sender = new Sender(socket);
      long first = sender.untilBlocked();
      long held = run.snapshot().memory().poolHeldBytes();
      // More than the receiver's buffers hold: so the sender must be let on, however the kernel
      // hands out its window.
      device.open(3000);
      long second = sender.untilMovedOn();
      System.out.printf(
          "blockedAfterBytes=%d movedOnBytes=%d poolHeldBytes=%d poolCapacityBytes=%d%n",
          first, second - first, held, run.snapshot().memory().poolCapacityBytes());
      device.open(Integer.MAX_VALUE / 2);
      sender.all();
      socket.shutdownOutput();
      run.awaitEnd(Duration.ofMinutes(2));
      RunSnapshot end = run.snapshot();
      System.out.printf(
          "state=%s trained=%d rejected=%d poolHeldBytes=%d%n",
          end.state(), end.rows().trained(), rejected.count(), end.memory().poolHeldBytes());
    }
  }

  /** Rows without end, written as far as the socket takes them. */
  private static final class Sender {
    private final SocketChannel socket;
    private final ByteBuffer lines = ByteBuffer.allocateDirect(1 << 16).flip();
    private int row;
    private long bytes;

    Sender(SocketChannel socket) {
      this.socket = socket;
    }

    /** Writes until the socket takes nothing any more; returns the bytes written so far. */
    long untilBlocked() throws Exception {
      for (int idle = 0; idle < TRIES && (row < ROWS || lines.hasRemaining()); ) {
        if (write() > 0) {
          idle = 0;
        } else {
          idle++;
          LockSupport.parkNanos(1_000_000);
        }
      }
      return bytes;
    }

    /** Writes until the socket has taken something; returns the bytes written so far. */
    long untilMovedOn() throws Exception {
      while (write() == 0) {
        LockSupport.parkNanos(1_000_000);
      }
      return bytes;
    }

    void all() throws Exception {
      while (row < ROWS || lines.hasRemaining()) {
        if (write() == 0) {
          LockSupport.parkNanos(100_000);
        }
      }
    }

    private int write() throws Exception {
      if (!lines.hasRemaining()) {
        lines.clear();
        while (row < ROWS && lines.remaining() > 200) {
          String line =
              "%d,%d,%d,%d,%d,%d,%d%n"
                  .formatted(row % 11, row % 13, row % 17, row % 19, row % 23, row % 29, row++ % 2);
          lines.put(line.getBytes(StandardCharsets.US_ASCII));
        }
        lines.flip();
      }
      int written = socket.write(lines);
      bytes += written;
      return written;
    }
  }
}
