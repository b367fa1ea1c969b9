package io.penstock.ingest.netty;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** A producer as others write them: a socket, lines to send and lines to read. */
final class LineSocket implements AutoCloseable {
  private final Socket socket;
  private final OutputStream out;
  private final BufferedReader in;

  LineSocket(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(30_000); // for a test that waits in vain to fail, not to hang
    out = socket.getOutputStream();
    in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
  }

  LineSocket send(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /** The next line; null at the end. */
  @Nullable String line() throws IOException {
    try {
      return in.readLine();
    } catch (SocketException reset) {
      return null;
    }
  }

  /** The next line that begins with {@code word}, others passed over; null where the end comes first. */
  @Nullable String line(String word) throws IOException {
    String line = line();
    while (line != null && !line.startsWith(word)) {
      line = line();
    }
    return line;
  }

  /** Closes so that the other side sees a reset. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
