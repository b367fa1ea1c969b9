/** Tests of the way of the data, driven by hand: virtual time, the ring's consumer in the test's own thread. */
@NullMarked
package io.penstock.pipeline;

import org.jspecify.annotations.NullMarked;
