/**
 * Checkpoints on disk: one safetensors file each, written whole or not at all, in a folder that one run at a time writes to.
 */
@NullMarked
package io.penstock.app.checkpoint;

import org.jspecify.annotations.NullMarked;
