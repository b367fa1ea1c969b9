/**
 * The application around a run: command line, status line, summary and report, meters and health over HTTP, dead letters.
 *
 * <p>Threads. The main thread starts the run, looks at it a few times a second ({@link io.penstock.app.Run#snapshot}) and
 * publishes what it saw; HTTP answers from that on one event loop of its own. Nothing here is called for a row that is well.
 */
@NullMarked
package io.penstock.app;

import org.jspecify.annotations.NullMarked;
