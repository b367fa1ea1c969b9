/**
 * Rows over TCP: {@link io.penstock.ingest.netty.TcpListener} waits for senders, and for the first one's header where only that
 * tells the columns; {@link io.penstock.ingest.netty.TcpSource} takes rows, {@link io.penstock.ingest.netty.Feed} sends them, and
 * {@link io.penstock.ingest.netty.ProducerFeed} those that are acknowledged (docs/tcp-protocol.md).
 *
 * <p>Threads. A source has up to two event loops, {@code penstock-tcp-*}; a connection stays on one, decodes there, and is
 * confined to it. A feed has one, {@code penstock-feed-*}, which also reads its file or makes its rows. Requests and
 * cancellations come from anywhere and hand over to the loop.
 *
 * <p>Pressure. A connection reads one buffer when its decoder has none left and its rows are wanted: what is not wanted stays
 * in the kernel until the window closes, and the sender blocks. A feed writes while its channel is writable, and a few
 * messages ahead of the wire at most.
 */
@NullMarked
package io.penstock.ingest.netty;

import org.jspecify.annotations.NullMarked;
