/**
 * From a sample of the data to its schema: {@link io.penstock.app.sample.Sample} looks at every value of the first rows, {@link
 * io.penstock.app.sample.SchemaInference} decides what each column is, and {@link io.penstock.app.sample.ConfigDraft} writes it
 * down as a person would. Used before a run begins, on the main thread; nothing here is called while rows are trained on.
 */
@NullMarked
package io.penstock.app.sample;

import org.jspecify.annotations.NullMarked;
