/** Tests of what samples tell. */
@NullMarked
package io.penstock.app.sample;

import org.jspecify.annotations.NullMarked;
