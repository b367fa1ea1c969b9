package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.apache.commons.codec.digest.MurmurHash3;
import org.junit.jupiter.api.Test;

class HashTest {
  @Test
  void shouldHashAsMurmurHash3Does() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 10_000; i++) {
      long value = i < 64 ? 1L << i : random.nextLong();
      byte[] bytes =
          ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
      assertThat(Hash.murmur3(value))
          .as("%x", value)
          .isEqualTo(MurmurHash3.hash32x86(bytes, 0, bytes.length, 0));
    }
  }

  @Test
  void shouldSpreadCategoriesEvenlyOverBucketsAndSigns() {
    int buckets = 100;
    int rows = 100_000;
    int[] plus = new int[buckets + 1];
    int[] minus = new int[buckets + 1];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(8L * rows);
      for (int row = 0; row < rows; row++) {
        Values.setLong(memory, 0, row, CategoryHash.of("category " + row));
      }
      new Hash(buckets, true).process(memory, 0, rows);
      for (int row = 0; row < rows; row++) {
        int number = (int) Values.getLong(memory, 0, row);
        (number < 0 ? minus : plus)[Math.abs(number)]++;
      }
    }
    assertThat(plus[0] + minus[0]).isZero();
    for (int bucket = 1; bucket <= buckets; bucket++) {
      // 500 of each expected, with a deviation of 22.
      assertThat(plus[bucket]).isCloseTo(500, within(110));
      assertThat(minus[bucket]).isCloseTo(500, within(110));
    }
  }

  @Test
  void shouldPickTheSameBucketWithAndWithoutSignAndNoneForAMissingCategory() {
    SplittableRandom random = new SplittableRandom(2);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment signed = arena.allocate(8L * 1000);
      MemorySegment unsigned = arena.allocate(8L * 1000);
      for (int row = 1; row < 1000; row++) {
        long category = random.nextLong();
        Values.setLong(signed, 0, row, category);
        Values.setLong(unsigned, 0, row, category);
      }
      new Hash(7, true).process(signed, 0, 1000);
      new Hash(7, false).process(unsigned, 0, 1000);
      assertThat(Values.getLong(signed, 0, 0)).isZero();
      assertThat(Values.getLong(unsigned, 0, 0)).isZero();
      for (int row = 1; row < 1000; row++) {
        assertThat(Values.getLong(unsigned, 0, row))
            .isBetween(1L, 7L)
            .isEqualTo(Math.abs(Values.getLong(signed, 0, row)));
      }
    }
  }
}
