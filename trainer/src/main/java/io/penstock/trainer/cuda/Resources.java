package io.penstock.trainer.cuda;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** What is to be freed together, newest first. After a kernel fault nothing can be freed, since nothing is left. */
final class Resources implements AutoCloseable {
  /** Frees something. */
  interface Release {
    void run();
  }

  private final ArrayDeque<Release> releases = new ArrayDeque<>();

  void add(Release release) {
    releases.push(release);
  }

  @Override
  public void close() {
    @Nullable RuntimeException failure = null;
    while (!releases.isEmpty()) {
      try {
        releases.pop().run();
      } catch (RuntimeException e) {
        if (e instanceof CudaException cuda && cuda.lostContext()) {
          continue;
        }
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
