/** Settings as records, and the reader that makes them from YAML. No behaviour. */
@NullMarked
package io.penstock.config;

import org.jspecify.annotations.NullMarked;
