/**
 * The device that runs on ND4J: on any processor with its native backend, on NVIDIA GPUs of compute capability 3.7 to 8.9 with
 * its CUDA backend. The backend is a jar on the class path, or there is none; nothing outside {@link
 * io.penstock.trainer.nd4j.Nd4jDevice} needs ND4J to be loaded.
 *
 * <p>Operations. Each kernel call becomes a few operations of ND4J's native library ({@link io.penstock.trainer.nd4j.Calls}),
 * their operands and arguments set once when a program is opened; to run one is one native call that makes no object and no
 * array. ND4J's own Java layer is not used beyond choosing the backend: it makes objects for each operation. Lines of a minibatch
 * lie one behind the other, so elementwise operations run over all of them as over one vector, padding and all, and matrix
 * products over the rows alone. All steps compute {@code capacityRows} rows; what is no row of the minibatch is selected out by
 * dividing by 0 or 1 with {@code divide_no_nan}, whose quotient by 0 is 0 whatever is divided.
 *
 * <p>Order. A slot is copied to one of two twins on the copy stream, where an event says that it is there. Compute runs on the
 * stream of the device thread; its last act is to copy the twin's header back into pinned memory, and when that has come, the
 * step has ended and the slot was read for the last time. Only then the host looks whether loss and gradient are finite and
 * starts the update. With the native backend there are no streams, and all of this happens at once.
 *
 * <p>Results. One thread, operations in a fixed order: equal to the bit on one machine.
 */
@NullMarked
package io.penstock.trainer.nd4j;

import org.jspecify.annotations.NullMarked;
