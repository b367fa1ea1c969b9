/**
 * The trainer loop: takes minibatches from the ring, has a device run a step on each, and frees slots when the device has read
 * them for the last time.
 *
 * <p>Threads. {@link io.penstock.trainer.Trainer} is an agent of one thread, the device thread, the ring's only consumer. Other
 * threads may only ask it to stop, tell it that the stream has ended, and look at its status, which it publishes when asked.
 */
@NullMarked
package io.penstock.trainer;

import org.jspecify.annotations.NullMarked;
