package io.penstock.trainer.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class MemoryTest {
  /** The builds for narrower vectors say what they want; a flag that the JVM ignored would test nothing. */
  @Test
  void shouldUseVectorsOfTheWidthThatIsTested() {
    assertThat(Memory.SPECIES.vectorBitSize())
        .isLessThanOrEqualTo(Integer.getInteger("penstock.test.maxVectorBits", 512));
  }

  @Test
  void shouldAddUpEachLaneOfAVectorOnce() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment vector = arena.allocate(Memory.STEP, 64);
      for (int lane = 0; lane < Memory.LANES; lane++) {
        vector.setAtIndex(ValueLayout.JAVA_FLOAT, lane, 1 << lane);
      }
      assertThat(Memory.sumOfVector(vector.address())).isEqualTo((1 << Memory.LANES) - 1);
    }
  }
}
