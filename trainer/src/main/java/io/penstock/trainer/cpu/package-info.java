/**
 * The device that is always there: Vector API loops, and OpenBLAS for matrices that are large enough for it, on the caller's
 * thread.
 *
 * <p>Results. They depend on the program, the instruction set and the OpenBLAS version alone: no {@code reduceLanes} of floats
 * and no transcendental {@code lanewise} (both may change with the JIT's timing), own FMA polynomials
 * ({@link io.penstock.trainer.cpu.Polynomials}), fixed trees for sums over lanes, one thread, the choice of a kernel by shape.
 *
 * <p>Memory. Kernels work on raw addresses through one segment that spans everything ({@link io.penstock.trainer.cpu.Memory}),
 * which takes bounds and liveness checks out of inner loops; so addresses never leave this package, and a session checks its
 * slots' size. Lines of slots and buffers are padded to whole vectors: kernels load and store whole vectors. What
 * lies behind the last row may be anything; the kernels that sum over rows clear or select it out themselves, all others leave
 * something there that nobody reads.
 */
@NullMarked
package io.penstock.trainer.cpu;

import org.jspecify.annotations.NullMarked;
