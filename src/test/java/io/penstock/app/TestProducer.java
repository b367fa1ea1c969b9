package io.penstock.app;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A producer that sends what the test says, and reads what it is told. */
final class TestProducer implements AutoCloseable {
  private final String id;
  private final Socket socket;
  private final OutputStream out;
  private final BufferedReader in;
  private long durable;

  TestProducer(int port, String id) throws IOException {
    this.id = id;
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(60_000); // for a test that waits in vain to fail, not to hang
    out = socket.getOutputStream();
    in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Makes the handshake; answers the number of the row that is wanted next. */
  long introduce(String header) throws IOException {
    send("penstock/1 producer=" + id + "\n" + header);
    String welcome = line("welcome");
    if (welcome == null) {
      throw new IOException("no welcome");
    }
    return Long.parseLong(welcome.replaceAll(".*next=(\\d+).*", "$1"));
  }

  void send(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
  }

  void awaitReceived(long row) throws IOException {
    String line = "";
    while (line != null && number(line, "received ") < row) {
      line = line("");
    }
  }

  /** The next line that begins with {@code word}; null where the end comes first. */
  @Nullable String line(String word) throws IOException {
    String line = in.readLine();
    while (line != null && !line.startsWith(word)) {
      durable = Math.max(durable, number(line, "durable "));
      line = in.readLine();
    }
    return line;
  }

  /** What it was told is durable. */
  long durable() {
    return durable;
  }

  private static long number(String line, String word) {
    return line.startsWith(word) ? Long.parseLong(line.substring(word.length())) : 0;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
