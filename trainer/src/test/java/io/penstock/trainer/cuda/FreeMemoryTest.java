package io.penstock.trainer.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.penstock.pipeline.SlotMemory;
import io.penstock.trainer.cuda.FreeMemory.Found;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is free in machines and control groups, written down as Linux does; and slots that want more. */
class FreeMemoryTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path root;

  @BeforeAll
  static void findTheEmulator() {
    EmulatedCuda.prepare();
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void machine(long freeBytes) throws IOException {
    write(
        "proc/meminfo",
        "MemTotal:  999999999 kB\nMemFree:  1 kB\nMemAvailable:   %d kB\n"
            .formatted(freeBytes / 1024));
  }

  private void version2(String group, String max, long current, long cache) throws IOException {
    String folder = "sys/fs/cgroup" + group;
    write(folder + "/memory.max", max + "\n");
    write(folder + "/memory.current", current + "\n");
    write(folder + "/memory.stat", "anon 7\ninactive_file %d\nactive_file 5\n".formatted(cache));
  }

  private void version1(String group, long limit, long usage, long cache) throws IOException {
    String folder = "sys/fs/cgroup/memory" + group;
    write(folder + "/memory.limit_in_bytes", limit + "\n");
    write(folder + "/memory.usage_in_bytes", usage + "\n");
    write(folder + "/memory.stat", "cache 9\ntotal_inactive_file %d\n".formatted(cache));
  }

  private Found find() {
    Found found = new FreeMemory(root).find();
    assertThat(found).isNotNull();
    return java.util.Objects.requireNonNull(found);
  }

  @Test
  void shouldKnowNothingWhereTheSystemSaysNothing() {
    assertThat(new FreeMemory(root).find()).isNull();
  }

  @Test
  void shouldTakeWhatTheMachineHasAvailable() throws IOException {
    machine(300 * MIB);
    version2("", "max", 5, 0);
    write("proc/self/cgroup", "0::/\n");
    assertThat(find()).isEqualTo(new Found(300 * MIB, "the machine"));
  }

  @Test
  void shouldTakeWhatAGroupLeavesWithPageCacheThatCanBeDropped() throws IOException {
    machine(300 * MIB);
    write("proc/self/cgroup", "0::/\n");
    version2("", Long.toString(100 * MIB), 70 * MIB, 20 * MIB);
    assertThat(find().bytes()).isEqualTo(50 * MIB);
    assertThat(find().where()).startsWith("the control group ").endsWith("sys/fs/cgroup");
  }

  @Test
  void shouldTakeTheTightestOfAllGroupsAbove() throws IOException {
    machine(300 * MIB);
    write("proc/self/cgroup", "0::/pods/one/main\n");
    version2("/pods/one/main", "max", 10 * MIB, 0);
    version2("/pods/one", Long.toString(90 * MIB), 60 * MIB, 0);
    version2("/pods", Long.toString(200 * MIB), 100 * MIB, 0);
    assertThat(find().bytes()).isEqualTo(30 * MIB);
    assertThat(find().where()).endsWith("pods/one");
  }

  @Test
  void shouldReadGroupsOfVersion1ThoughAContainerSeesTheirRootOnly() throws IOException {
    machine(300 * MIB);
    write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/docker/4711\n0::/\n");
    version1("", 80 * MIB, 60 * MIB, 5 * MIB);
    assertThat(find().bytes()).isEqualTo(25 * MIB);
  }

  @Test
  void shouldFindNothingFreeWhereAGroupIsOverItsLimit() throws IOException {
    write("proc/self/cgroup", "0::/\n");
    version2("", Long.toString(10 * MIB), 11 * MIB, 0);
    assertThat(find().bytes()).isZero();
  }

  @Test
  void shouldNotPinMoreThanIsFreeBesideTheHeap() throws IOException {
    EmulatedCuda cuda = EmulatedCuda.atOnce();
    long heap = Runtime.getRuntime().maxMemory();
    machine(heap + 64 * MIB);
    write("proc/self/cgroup", "0::/\n");
    try (SlotMemory memory = new CudaSlotMemory(new CudaContext(0), new FreeMemory(root))) {
      assertThat(memory.allocate(MIB).byteSize()).isEqualTo(MIB);
      assertThatThrownBy(() -> memory.allocate(heap + 65 * MIB))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("MiB of pinned memory beside the 1 MiB that others have")
          .hasMessageContaining("but the machine has ")
          .hasMessageContaining("make batch.size or pipeline.slots smaller, lower -Xmx");
    }
    Leaks.requireNone(cuda);
  }
}
