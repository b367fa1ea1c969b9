@NullMarked
package io.penstock.ingest.codec;

import org.jspecify.annotations.NullMarked;
