/**
 * Makes, changes and inspects branches, each as one method that either did all of it or nothing.
 */
@NullMarked
package dev.coppice.control.branch;

import org.jspecify.annotations.NullMarked;
