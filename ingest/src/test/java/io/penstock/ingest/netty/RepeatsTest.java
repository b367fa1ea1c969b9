package io.penstock.ingest.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.penstock.ingest.codec.Decoding;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RepeatsTest {

  @Test
  void shouldDropSoManyLinesHoweverTheyAreCut() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 500; i++) {
      List<String> lines = new ArrayList<>();
      for (int line = random.nextInt(1, 20); line > 0; line--) {
        lines.add("x".repeat(random.nextInt(1, 9)) + (random.nextBoolean() ? "\r\n" : "\n"));
      }
      int dropped = random.nextInt(lines.size() + 1);
      assertThat(drop(dropped, String.join("", lines), random))
          .isEqualTo(String.join("", lines.subList(dropped, lines.size())));
    }
  }

  @Test
  void shouldLeaveTheEmptyLineThatEndsTheRows() {
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < 100; i++) {
      assertThat(drop(5, "a\nb\n\nc\n", random)).isEqualTo("\nc\n");
      assertThat(drop(5, "a\r\nb\r\n\r\n", random)).isIn("\r\n", "\n");
      assertThat(drop(2, "\r\r\n\r x\nc\n", random)).isEqualTo("c\n");
    }
  }

  @Test
  void shouldAllocateNothingALine() {
    ByteBuf lines =
        Unpooled.wrappedBuffer("1.5,x,3\n".repeat(1000).getBytes(StandardCharsets.US_ASCII));
    dropAll(lines, 20);
    long before = Decoding.allocatedBytes();
    dropAll(lines, 50);
    assertThat(Decoding.allocatedBytes() - before).as("bytes for 50000 lines").isLessThan(20_000);
  }

  private static void dropAll(ByteBuf lines, int times) {
    Repeats repeats = new Repeats(Long.MAX_VALUE);
    for (int i = 0; i < times; i++) {
      repeats.drop(lines.readerIndex(0));
    }
  }

  private static String drop(int rows, String text, SplittableRandom random) {
    Repeats repeats = new Repeats(rows);
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    StringBuilder left = new StringBuilder();
    for (int at = 0; at < bytes.length; ) {
      int length = Math.min(bytes.length - at, random.nextInt(1, 7));
      ByteBuf piece = Unpooled.wrappedBuffer(bytes, at, length);
      repeats.drop(piece);
      left.append(piece.toString(StandardCharsets.US_ASCII));
      at += length;
    }
    return left.toString();
  }
}
