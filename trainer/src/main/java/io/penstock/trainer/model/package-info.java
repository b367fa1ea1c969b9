/**
 * Models, and their lowering to programs: layers, loss and optimizer become one flat list of kernel calls over planned
 * buffers, for one number of rows. This is the only place that knows calculus; a device knows only kernels.
 *
 * <p>Layout. Everything that has a value for each row is <em>feature-major</em>, as slots are: [feature][row], the stride an
 * odd number of cache lines. So vectors always run along the minibatch, whatever the width of a layer: Z = WᵀX, the softmax
 * is vectorised over rows, a bias gradient is the sum of a line, dW = X dZᵀ. Weights are [inputs][outputs].
 *
 * <p>Everything here is immutable and may be used by any thread, but {@link io.penstock.trainer.model.TrainingState}.
 */
@NullMarked
package io.penstock.trainer.model;

import org.jspecify.annotations.NullMarked;
