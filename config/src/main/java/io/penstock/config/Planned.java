package io.penstock.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Keys, cases or values that the design names and this version does not have: they are errors that say so. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@interface Planned {
  String[] value();
}
