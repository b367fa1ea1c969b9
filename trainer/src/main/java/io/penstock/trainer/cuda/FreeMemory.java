package io.penstock.trainer.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much more memory this process can take before something is swapped or killed: the least of what the machine has available and
 * of what each control group above this process, of version 1 or 2, leaves free. Page cache that can be dropped counts as free. As
 * Linux says it in files; elsewhere nothing is known.
 */
final class FreeMemory {
  private static final long KIBIBYTE = 1024;

  private final Path root;

  /**
   * @param root of the file system; tests have one of their own
   */
  FreeMemory(Path root) {
    this.root = root;
  }

  /**
   * Memory that is free somewhere.
   *
   * @param where for messages: {@code the machine}
   */
  record Found(long bytes, String where) {}

  /** The tightest; null where nothing is known. */
  @Nullable Found find() {
    Found least = machine();
    for (Found group : groups()) {
      if (least == null || group.bytes() < least.bytes()) {
        least = group;
      }
    }
    return least;
  }

  private @Nullable Found machine() {
    Long available = field(root.resolve("proc/meminfo"), "MemAvailable:");
    return available == null ? null : new Found(available * KIBIBYTE, "the machine");
  }

  private List<Found> groups() {
    List<Found> found = new ArrayList<>();
    Path mounted = root.resolve("sys/fs/cgroup");
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      // number:controllers:path; version 2 has no controllers.
      String[] parts = line.split(":", 3);
      if (parts.length < 3) {
        continue;
      }
      if (parts[1].isEmpty()) {
        climb(mounted, parts[2], "memory.max", "memory.current", "inactive_file", found);
      } else if (List.of(parts[1].split(",")).contains("memory")) {
        climb(
            mounted.resolve("memory"),
            parts[2],
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
            found);
      }
    }
    return found;
  }

  /** The group of a path and all above it; in a container, only the mounted root may be there. */
  private static void climb(
      Path mounted, String path, String limit, String usage, String cache, List<Found> to) {
    Path top = mounted.normalize();
    Path group = top.resolve(path.replaceFirst("^/+", "")).normalize();
    while (group != null && group.startsWith(top)) {
      Long most = number(group.resolve(limit));
      Long taken = number(group.resolve(usage));
      if (most != null && taken != null) {
        Long droppable = field(group.resolve("memory.stat"), cache);
        long used = Math.max(0, taken - (droppable == null ? 0 : droppable));
        to.add(new Found(Math.max(0, most - used), "the control group " + group));
      }
      group = group.getParent();
    }
  }

  /** Null where there is no number: {@code max} is none. */
  private static @Nullable Long number(Path file) {
    List<String> lines = lines(file);
    return lines.isEmpty() ? null : parse(lines.getFirst());
  }

  /** The number behind a word that begins a line. */
  private static @Nullable Long field(Path file, String word) {
    for (String line : lines(file)) {
      String[] parts = line.strip().split("\\s+", -1);
      if (parts.length > 1 && parts[0].equals(word)) {
        return parse(parts[1]);
      }
    }
    return null;
  }

  private static @Nullable Long parse(String text) {
    try {
      return Long.valueOf(text.strip());
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }
}
