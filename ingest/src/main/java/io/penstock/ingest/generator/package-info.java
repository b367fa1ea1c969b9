/**
 * The literature's synthetic streams with concept drift, as a source of blocks and as CSV lines.
 *
 * <p>Row i is a pure function of the seed and i: a stream resumes anywhere, and two processes agree on it. A hyperplane walks to
 * where it resumes, all others are there at once.
 * Every value is an integer over a power of ten, both below 2^24, so the float nearest to the written decimal is one correctly
 * rounded float division: blocks and parsed CSV are equal to the bit.
 *
 * <p>Threads. Streams are confined to the thread that fills blocks ({@code penstock-generator}) or writes lines.
 */
@NullMarked
package io.penstock.ingest.generator;

import org.jspecify.annotations.NullMarked;
