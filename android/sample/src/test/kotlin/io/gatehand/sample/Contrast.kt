package io.gatehand.sample

import android.graphics.Bitmap
import android.graphics.Rect
import kotlin.math.pow

/** How well what is drawn can be told from what it is drawn on, as WCAG measures it: from 1 to 21. */
object Contrast {
    private const val GLARE = 0.05

    /** How light each value of a colour's part is. */
    private val LIGHT = DoubleArray(256) { value ->
        val share = value / 255.0
        if (share <= 0.04045) share / 12.92 else ((share + 0.055) / 1.055).pow(2.4)
    }

    /** Between the darkest and the lightest point of [place]. */
    fun of(picture: Bitmap, place: Rect): Double {
        val points = IntArray(place.width() * place.height())
        picture.getPixels(points, 0, place.width(), place.left, place.top, place.width(), place.height())
        var darkest = 1.0
        var lightest = 0.0
        for ((index, point) in points.withIndex()) {
            // Most have the colour of the one beside them.
            if (index > 0 && point == points[index - 1]) continue
            darkest = minOf(darkest, light(point))
            lightest = maxOf(lightest, light(point))
        }
        return (lightest + GLARE) / (darkest + GLARE)
    }

    private fun light(color: Int): Double =
        0.2126 * LIGHT[color shr 16 and 255] + 0.7152 * LIGHT[color shr 8 and 255] + 0.0722 * LIGHT[color and 255]
}
