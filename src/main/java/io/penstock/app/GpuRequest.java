package io.penstock.app;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;

/**
 * What {@code penstock bench gpu} is to do.
 *
 * @param report the JSON; the table goes beside it, and logs into a folder beside it
 * @param sections that run
 * @param limit of all sections together, the soak apart
 * @param soak how long to train with memory watched; zero: not at all
 * @param python the interpreter that may have PyTorch
 */
record GpuRequest(
    Path report, Set<GpuSection> sections, Duration limit, Duration soak, String python) {}
