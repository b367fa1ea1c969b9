/**
 * NVIDIA GPUs of compute capability 8.0 and up, through the driver's API, NVRTC and cuBLASLt of an installation of CUDA 12 or 13.
 * Nothing native is shipped, and nothing is loaded before a device is asked for.
 *
 * <p>Threads. A session is the device thread's; slots may be allocated on another one. CUDA's current context belongs to a
 * thread: whoever comes first from a new one makes it current ({@link io.penstock.trainer.cuda.CudaContext}). There are no
 * upcalls and no threads of our own: completion is polled.
 *
 * <p>Order. A step's slot is copied on the copy stream; an event joins that to the compute stream, which runs the twin's graph
 * (all kernels, and the copy of the result into pinned memory) and records a second event. {@code poll} looks at that one, oldest
 * twin first: when it has happened, the slot has been read, the result is there, and the twin is free. Copies of later slots run
 * beside the computing of earlier ones. Graphs depend on capacities only: how many rows are real is read on the device.
 *
 * <p>Never run on a real GPU by its authors: the tests run it on an emulator of the three libraries.
 */
@NullMarked
package io.penstock.trainer.cuda;

import org.jspecify.annotations.NullMarked;
