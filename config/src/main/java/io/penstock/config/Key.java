package io.penstock.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a record component's type does not say of its key in YAML. A component without it, unless it is nullable, must be given.
 * The reader, the constructors' checks and the configuration page all go by it.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Key {
  /** The value in YAML where the key is left out; empty: it must be given. */
  String byDefault() default "";

  /** The value in YAML that {@code none} stands for; empty: {@code none} is not allowed. */
  String none() default "";

  /** Interval of allowed values, in the notation of mathematics: {@code [0, 1)}; ends carry units as values do. */
  String range() default "";

  /** Whether a value that is no map stands for this component alone, the others left out. */
  boolean alone() default false;

  Unit unit() default Unit.PLAIN;

  /** Whether a saved run may go on though this, and all below it, has changed. */
  boolean mayChange() default false;

  /** How a number may be written. */
  enum Unit {
    PLAIN,
    /** {@code 65536}, {@code 64KB}, {@code 64KiB}. */
    BYTES,
    /** {@code 0.01}, {@code 1%}. */
    SHARE
  }
}
