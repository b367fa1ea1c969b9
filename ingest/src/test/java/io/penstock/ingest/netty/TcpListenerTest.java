package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.config.FormatConfig;
import io.penstock.config.SourceConfig.Tcp;
import io.penstock.ingest.codec.Decoding;
import io.penstock.ingest.codec.RecordedRejections;
import io.penstock.ingest.codec.SourceException;
import io.penstock.pipeline.Block;
import io.penstock.pipeline.BlockPool;
import io.penstock.pipeline.BlockSchema;
import io.penstock.pipeline.BlockSchema.Column;
import io.penstock.pipeline.BlockSchema.Kind;
import io.penstock.pipeline.BlockSchema.Label;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(40)
class TcpListenerTest {
  private static final Duration PATIENCE = Duration.ofSeconds(15);
  private static final int MAX_LINE_BYTES = 64;

  private TcpListener listener;

  @BeforeEach
  void listen() {
    listener = listener(0);
  }

  @AfterEach
  void close() {
    listener.close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "w1,w2,y\n1,2,0\n3,4,1\n",
        "w1,w2,y\r\n1,2,0\r\n3,4,1\r\n",
        "\uFEFFw1,w2,y\n1,2,0\n3,4,1\n",
        "\r\n\nw1,w2,y\n1,2,0\n3,4,1\n",
        "\"w1\",\"w2\",y\n1,2,0\n3,4,1"
      })
  void shouldLearnTheHeaderAndDecodeFromTheFirstByteOn(String document) throws Exception {
    listenFor(1);
    var names = listener.header(found -> found).toFuture();
    try (Socket socket = connect()) {
      for (byte one : document.getBytes(StandardCharsets.UTF_8)) {
        socket.getOutputStream().write(one);
        socket.getOutputStream().flush();
      }
      socket.shutdownOutput();
      assertThat(get(names)).containsExactly("w1", "w2", "y");
      assertThat(rows()).containsExactly("0:0 1.0 2.0 0.0", "0:1 3.0 4.0 1.0");
    }
  }

  @Test
  void shouldKeepWhatCameWithTheHeaderWhenTheSenderIsGoneBeforeTheSourceIsOpen() throws Exception {
    listenFor(1);
    var names = listener.header(found -> found).toFuture();
    send("w1,w2,y\n1,2,0\n3,4,1\n");
    assertThat(get(names)).hasSize(3);
    assertThat(rows()).hasSize(2);
  }

  @Test
  void shouldLetFurtherConnectionsWaitUntilTheFirstHasBegun() throws Exception {
    listenFor(2);
    var names = listener.header(found -> found).toFuture();
    try (Socket first = connect()) {
      first.getOutputStream().write("w1,".getBytes(StandardCharsets.UTF_8));
      send("w1,w2,y\n9,9,1\n");
      first.getOutputStream().write("w2,y\n1,2,0\n".getBytes(StandardCharsets.UTF_8));
      first.shutdownOutput();
      assertThat(get(names)).hasSize(3);
      assertThat(rows()).containsExactlyInAnyOrder("0:0 1.0 2.0 0.0", "1:0 9.0 9.0 1.0");
    }
  }

  @Test
  void shouldWaitForTheNextConnectionWhereOneHasNoHeaderThatWillDo() throws Exception {
    listenFor(5);
    var names = listener.header(TcpListenerTest::withW1).toFuture();
    send("w1,w");
    send("a,b,c\n1,2,3\n");
    send("w1," + "x".repeat(MAX_LINE_BYTES) + ",y\n");
    send("");
    send("w1,w2,y\n1,2,0\n");
    assertThat(get(names)).containsExactly("w1", "w2", "y");
    assertThat(rows()).containsExactly("4:0 1.0 2.0 0.0");
  }

  @Test
  void shouldFailWithTheLastReasonWhereNoFurtherConnectionIsToCome() throws Exception {
    listenFor(2);
    var names = listener.header(TcpListenerTest::withW1).toFuture();
    send("w1,w");
    send("a,b,c\n1,2,3\n");
    assertThatThrownBy(() -> get(names))
        .hasRootCauseInstanceOf(SourceException.class)
        .hasMessageContaining("of 2 connections")
        .hasMessageContaining("there is no w1");
  }

  @Test
  void shouldEndAtOnceWhenClosedWhileItWaits() throws Exception {
    var before = listener.header(found -> found).toFuture();
    try (Socket socket = connect()) {
      socket.getOutputStream().write('w');
      listener.close();
      assertThat(get(before)).isNull();
      assertThat(isClosed(socket)).isTrue();
    }
  }

  private static List<String> withW1(List<String> names) {
    if (!names.contains("w1")) {
      throw new SourceException("there is no w1 among " + names);
    }
    return names;
  }

  private void listenFor(int endAfterConnections) {
    listener.close();
    listener = listener(endAfterConnections);
  }

  private static TcpListener listener(int endAfterConnections) {
    FormatConfig csv = new FormatConfig.Csv(true, ",", List.of(), List.of());
    return TcpListener.bind(
        new Tcp(
            0,
            "127.0.0.1",
            false,
            csv,
            MAX_LINE_BYTES,
            16,
            Duration.ZERO,
            endAfterConnections,
            null,
            null));
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), listener.port());
    socket.setTcpNoDelay(true);
    return socket;
  }

  /** Bytes that nobody read make it a reset. */
  private static boolean isClosed(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() == -1;
    } catch (SocketException e) {
      return true;
    }
  }

  private void send(String document) throws IOException {
    try (Socket socket = connect()) {
      socket.getOutputStream().write(document.getBytes(StandardCharsets.UTF_8));
    }
  }

  private static @Nullable List<String> get(CompletableFuture<@Nullable List<String>> future)
      throws Exception {
    return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  /** Rows to the end as "partition:row w1 w2 y". */
  private List<String> rows() {
    BlockSchema schema =
        new BlockSchema(
            List.of(new Column("w1", Kind.NUMBER, false), new Column("w2", Kind.NUMBER, false)),
            new Label("y", 2, List.of()),
            "",
            "");
    List<String> rows = new ArrayList<>();
    try (BlockPool pool = Decoding.pool(schema, 8, 8)) {
      listener
          .open(schema, Decoding.context(pool, new RecordedRejections()))
          .partitions()
          .flatMap(partition -> partition.items())
          .toStream()
          .forEach(
              item -> {
                if (item instanceof Block block) {
                  Decoding.rows(block).forEach(row -> rows.add(text(block, row)));
                  block.release();
                }
              });
      assertThat(pool.held()).isZero();
    }
    return rows;
  }

  private static String text(Block block, Decoding.Row row) {
    return "%d:%d %s %s %s"
        .formatted(
            block.cursor().partition(),
            row.number(),
            Float.intBitsToFloat(row.features().get(0).intValue()),
            Float.intBitsToFloat(row.features().get(1).intValue()),
            Float.intBitsToFloat(row.label()));
  }
}
