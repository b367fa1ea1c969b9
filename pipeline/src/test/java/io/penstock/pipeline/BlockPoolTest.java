package io.penstock.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class BlockPoolTest {
  private final BlockLayout layout = new BlockLayout(Rows.numbers(54), 1024);
  private final PartitionCursor cursor = new PartitionCursor(0, 0, 0, 0);

  @Test
  void shouldNeverHandOutMoreThanItsBound() {
    BlockPool pool = new BlockPool(layout, 4 * layout.byteSize() + 1000);
    List<Block> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add(pool.tryAcquire(0, cursor));
    }
    assertThat(pool.tryAcquire(0, cursor)).isNull();
    held.removeLast().release();
    held.add(pool.tryAcquire(0, cursor));
    assertThat(held).doesNotContainNull();
    assertThat(pool.allocatedBytes()).isEqualTo(4 * layout.byteSize());
    held.forEach(Block::release);
    assertThat(pool.held()).isZero();
    assertThat(pool.mostHeld()).isEqualTo(4);
    pool.close();
  }

  @Test
  void shouldWakeWaitersInTheirOrderOneForEachBlock() {
    BlockPool pool = new BlockPool(layout, 4 * layout.byteSize());
    List<Block> held = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      held.add(pool.tryAcquire(0, cursor));
    }
    List<String> woken = new ArrayList<>();
    pool.whenFree(cursor, () -> woken.add("first"));
    pool.whenFree(cursor, () -> woken.add("second"));
    assertThat(woken).isEmpty();
    held.get(0).release();
    assertThat(woken).containsExactly("first");
    held.get(1).release();
    assertThat(woken).containsExactly("first", "second");
    pool.whenFree(cursor, () -> woken.add("at once"));
    assertThat(woken).endsWith("at once");
    held.get(2).release();
    held.get(3).release();
    pool.close();
  }

  @Test
  void shouldKeepEachSourceToItsShare() {
    BlockPool pool = new BlockPool(layout, 10 * layout.byteSize(), List.of(3, 1));
    PartitionCursor other = new PartitionCursor(1, 0, 0, 0);
    List<Block> held = new ArrayList<>();
    for (Block block; (block = pool.tryAcquire(0, cursor)) != null; ) {
      held.add(block);
    }
    assertThat(held).as("one, and three quarters of the other eight").hasSize(7);
    List<String> woken = new ArrayList<>();
    pool.whenFree(cursor, () -> woken.add("first"));
    for (Block block; (block = pool.tryAcquire(0, other)) != null; ) {
      held.add(block);
    }
    assertThat(held).hasSize(10);
    held.removeLast().release();
    assertThat(woken).as("that block is the other's").isEmpty();
    held.removeFirst().release();
    assertThat(woken).containsExactly("first");
    held.forEach(Block::release);
    pool.close();
  }

  @Test
  void shouldRefuseASecondReleaseOfTheSameBlock() {
    BlockPool pool = new BlockPool(layout, 4 * layout.byteSize());
    Block block = Objects.requireNonNull(pool.tryAcquire(0, cursor));
    block.release();
    assertThatThrownBy(block::release).hasMessageContaining("released twice");
    pool.close();
  }

  @Test
  void shouldNotReachTheNextOwnersMemoryByASecondRelease() {
    BlockPool pool = new BlockPool(layout, 4 * layout.byteSize());
    Block first = Objects.requireNonNull(pool.tryAcquire(0, cursor));
    first.release();
    Block second = Objects.requireNonNull(pool.tryAcquire(0, cursor));
    assertThat(second.memory()).isEqualTo(first.memory());
    assertThatThrownBy(first::release).hasMessageContaining("released twice");
    assertThat(pool.held()).isEqualTo(1);
    second.release();
    pool.close();
  }

  @Test
  void shouldSayWhatABoundTooSmallWouldHold() {
    assertThatThrownBy(() -> new BlockPool(layout, layout.byteSize()))
        .hasMessageContaining("hold 1 blocks of 1024 rows")
        .hasMessageContaining("at least 4");
  }

  @Test
  void shouldGiveEveryColumnAnOddNumberOfCacheLines() {
    for (int rows = 1; rows < 3000; rows += 7) {
      assertThat(BlockLayout.columnBytes(rows, 4) / 64 % 2).isEqualTo(1);
      assertThat(BlockLayout.columnBytes(rows, 4)).isGreaterThanOrEqualTo(rows * 4L);
    }
  }
}
