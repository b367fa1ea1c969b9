/**
 * From bytes to columnar blocks. {@link io.penstock.ingest.codec.RowDecoder} is a plain machine that is fed bytes and fills
 * blocks; {@link io.penstock.ingest.codec.DecodedFlux} drives it under Reactor's demand.
 *
 * <p>Threads. A decoder belongs to one partition and runs on one thread at a time: that of its source (an event loop, the file
 * reader). {@code request} and {@code cancel} come from anywhere and hand over by a counter of work in progress, whose atomic
 * updates order everything else.
 */
@NullMarked
package io.penstock.ingest.codec;

import org.jspecify.annotations.NullMarked;
