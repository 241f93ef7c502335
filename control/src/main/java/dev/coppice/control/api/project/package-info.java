/** Routes of projects and their operations. */
@NullMarked
package dev.coppice.control.api.project;

import org.jspecify.annotations.NullMarked;
