@NullMarked
package io.penstock.app;

import org.jspecify.annotations.NullMarked;
