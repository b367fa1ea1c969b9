@NullMarked
package io.penstock.app.checkpoint;

import org.jspecify.annotations.NullMarked;
