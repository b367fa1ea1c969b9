@NullMarked
package io.penstock.ingest.file;

import org.jspecify.annotations.NullMarked;
