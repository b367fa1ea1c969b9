@NullMarked
package io.penstock.ingest.host;

import org.jspecify.annotations.NullMarked;
