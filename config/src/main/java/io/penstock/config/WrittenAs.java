package io.penstock.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The record that YAML is bound to where the settings are written in fewer words than code wants to read. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface WrittenAs {
  Class<? extends Form> value();

  /** What was written in a form, and can be written so again. */
  interface Meaning {
    /** The form that has this for its meaning. */
    Form written();
  }

  /** A record whose components are the keys as they are written. */
  interface Form {
    /** The settings as code reads them. */
    Object meaning();
  }
}
