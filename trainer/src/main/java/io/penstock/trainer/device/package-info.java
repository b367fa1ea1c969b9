/**
 * What a device is to the trainer: memory for slots, and a session that runs one program step after step.
 *
 * <p>A session belongs to one thread, the device thread; it may work on threads or hardware of its own behind
 * {@link io.penstock.trainer.device.DeviceSession#trySubmit} and report later through
 * {@link io.penstock.trainer.device.DeviceSession#poll}, always in the order of submission. Nothing here waits, but reading
 * back and {@code close}.
 */
@NullMarked
package io.penstock.trainer.device;

import org.jspecify.annotations.NullMarked;
