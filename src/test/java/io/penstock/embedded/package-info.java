/** Java code that uses Penstock from outside, as the guide says. */
@NullMarked
package io.penstock.embedded;

import org.jspecify.annotations.NullMarked;
