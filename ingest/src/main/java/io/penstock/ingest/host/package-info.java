/**
 * This machine's own metrics as a source of rows that come by the clock: what it was like during a tick, and as the label the load
 * of the tick after it.
 *
 * <p>Threads. Sensors are read, and blocks filled and sent on, on {@code penstock-host} alone.
 */
@NullMarked
package io.penstock.ingest.host;

import org.jspecify.annotations.NullMarked;
