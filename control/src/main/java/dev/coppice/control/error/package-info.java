/**
 * What can go wrong in the control plane, in kinds that the REST API and the proxy translate. Messages are for the
 * person who asked: they say what to do and carry no paths, passwords or keys.
 */
@NullMarked
package dev.coppice.control.error;

import org.jspecify.annotations.NullMarked;
