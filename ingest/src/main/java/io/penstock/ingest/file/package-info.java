/**
 * Rows from files. One thread of its own ({@code penstock-file}) reads and decodes, when blocks are requested; it ends a second
 * after it has nothing to do.
 */
@NullMarked
package io.penstock.ingest.file;

import org.jspecify.annotations.NullMarked;
