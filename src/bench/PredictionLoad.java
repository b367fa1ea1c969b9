import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks a run for predictions at a fixed rate, whatever the answers do (open loop), and says what that costs the training.
 * Requests are due at fixed times; a latency is from there to the last byte of the answer, so one that had to wait for another is
 * charged for it. Phases with and without requests take turns.
 *
 * <p>java PredictionLoad.java http://HOST:PORT RATE SECONDS ROUNDS BODY
 */
public final class PredictionLoad {
  private static final int CONNECTIONS = 32;
  private static final Pattern LENGTH = Pattern.compile("(?i)content-length: *(\\d+)\r\n");
  private static final Pattern TRAINED =
      Pattern.compile("(?m)^penstock_trained_rows_total ([0-9.E+]+)$");

  private final URI server;
  private final byte[] request;
  private final Selector selector = Selector.open();
  private final ArrayDeque<Connection> idle = new ArrayDeque<>();
  private long[] latencies = new long[0];
  private int answered;
  private int failed;

  /** One request at a time. */
  private final class Connection {
    final SocketChannel channel;
    final ByteBuffer answer = ByteBuffer.allocate(1 << 16);
    long due;
    int length = -1;

    Connection() throws IOException {
      channel = SocketChannel.open(new InetSocketAddress(server.getHost(), server.getPort()));
      channel.setOption(java.net.StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, this);
      idle.add(this);
    }

    void ask(long at) throws IOException {
      due = at;
      length = -1;
      answer.clear();
      ByteBuffer bytes = ByteBuffer.wrap(request);
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }

    void read() throws IOException {
      if (channel.read(answer) < 0) {
        throw new IOException("the server has closed a connection");
      }
      if (length < 0) {
        String head = new String(answer.array(), 0, answer.position(), StandardCharsets.US_ASCII);
        int body = head.indexOf("\r\n\r\n");
        Matcher found = LENGTH.matcher(head);
        if (body < 0 || !found.find()) {
          return;
        }
        length = body + 4 + Integer.parseInt(found.group(1));
        failed += head.startsWith("HTTP/1.1 200 ") ? 0 : 1;
      }
      if (answer.position() >= length) {
        latencies[answered++] = System.nanoTime() - due;
        idle.add(this);
      }
    }
  }

  private PredictionLoad(URI server, String body) throws IOException {
    this.server = server;
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /v1/predict HTTP/1.1\r\nHost: %s\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n"
            .formatted(server.getAuthority(), bytes.length);
    request = (head + body).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < CONNECTIONS; i++) {
      var _ = new Connection();
    }
  }

  private void ask(int rate, int seconds) throws IOException {
    int requests = rate * seconds;
    latencies = new long[requests];
    answered = 0;
    failed = 0;
    long interval = 1_000_000_000L / rate;
    long begin = System.nanoTime();
    int sent = 0;
    while (answered < requests) {
      long now = System.nanoTime();
      while (sent < requests && begin + sent * interval <= now && !idle.isEmpty()) {
        idle.poll().ask(begin + sent * interval);
        sent++;
      }
      long wait = begin + sent * interval - System.nanoTime();
      if (sent < requests && !idle.isEmpty() && wait < 1_000_000) {
        selector.selectNow(PredictionLoad::read);
        if (wait > 60_000) {
          java.util.concurrent.locks.LockSupport.parkNanos(50_000);
        }
      } else {
        selector.select(PredictionLoad::read, 1);
      }
    }
  }

  private static void read(SelectionKey key) {
    try {
      ((Connection) key.attachment()).read();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private double trained(HttpClient client) throws IOException, InterruptedException {
    String page =
        client
            .send(
                HttpRequest.newBuilder(server.resolve("/metrics")).build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    Matcher found = TRAINED.matcher(page);
    if (!found.find()) {
      throw new IOException("no meter of trained rows: " + page);
    }
    return Double.parseDouble(found.group(1));
  }

  /** Rows a second while requests are sent, or not. */
  private double phase(HttpClient client, int rate, int seconds, boolean asking)
      throws IOException, InterruptedException {
    double before = trained(client);
    long began = System.nanoTime();
    if (asking) {
      ask(rate, seconds);
    } else {
      Thread.sleep(seconds * 1000L);
    }
    double rows = trained(client) - before;
    return rows / ((System.nanoTime() - began) / 1e9);
  }

  /** Processor time of this load generator, which the training on the same cores does without. */
  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private double millis(double quantile) {
    return latencies[(int) Math.min(latencies.length - 1, quantile * latencies.length)] / 1e6;
  }

  /** Prints a JSON line for each round, then the medians. */
  public static void main(String[] args) throws IOException, InterruptedException {
    int rate = Integer.parseInt(args[1]);
    int seconds = Integer.parseInt(args[2]);
    int rounds = Integer.parseInt(args[3]);
    PredictionLoad load = new PredictionLoad(URI.create(args[0]), args[4].replace("\\n", "\n"));
    HttpClient client = HttpClient.newHttpClient();
    load.ask(rate, seconds); // warm-up
    List<Double> ratios = new ArrayList<>();
    List<Double> shares = new ArrayList<>();
    List<Double> p50 = new ArrayList<>();
    List<Double> p99 = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      double without = load.phase(client, rate, seconds, false);
      long cpu = cpuNanos();
      double with = load.phase(client, rate, seconds, true);
      double share =
          (cpuNanos() - cpu) / (seconds * 1e9 * Runtime.getRuntime().availableProcessors());
      Arrays.sort(load.latencies);
      ratios.add(with / without);
      shares.add(share);
      p50.add(load.millis(0.5));
      p99.add(load.millis(0.99));
      System.out.printf(
          Locale.ROOT,
          "{\"without\": %.0f, \"with\": %.0f, \"ratio\": %.3f, \"p50Millis\": %.3f, \"p99Millis\": %.3f, \"maxMillis\": %.3f, \"failed\": %d, \"ownShareOfCores\": %.3f}%n",
          without,
          with,
          with / without,
          load.millis(0.5),
          load.millis(0.99),
          load.millis(1),
          load.failed,
          share);
    }
    System.out.printf(
        Locale.ROOT,
        "{\"rate\": %d, \"rounds\": %d, \"medianRatio\": %.3f, \"medianP50Millis\": %.3f, \"medianP99Millis\": %.3f, \"medianOwnShareOfCores\": %.3f}%n",
        rate,
        rounds,
        median(ratios),
        median(p50),
        median(p99),
        median(shares));
    System.exit(0);
  }
}
