/**
 * The way of the data between a decoder and a device: stream items, blocks and their pool, the serial merge, operators, the
 * assembler, and the ring of slots.
 *
 * <p>Threads. Decoders fill blocks on event loops; the merge hands them over to the pipeline thread, which runs operators and
 * assembler and is the only producer of the ring; the device thread is its only consumer. A block or a slot has exactly one
 * owner at a time; handing it on (an {@code onNext}, a publish of a sequence) is the happens-before edge, so their fields are
 * plain.
 */
@NullMarked
package io.penstock.pipeline;

import org.jspecify.annotations.NullMarked;
