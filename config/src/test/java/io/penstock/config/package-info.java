/** Tests of the configuration, and the page of settings that is made from it. */
@NullMarked
package io.penstock.config;

import org.jspecify.annotations.NullMarked;
