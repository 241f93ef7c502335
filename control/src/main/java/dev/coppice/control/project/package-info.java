/** Makes, changes and deletes projects. */
@NullMarked
package dev.coppice.control.project;

import org.jspecify.annotations.NullMarked;
