<?xml version="1.0" encoding="UTF-8"?>
<!-- Makes of the app's manifest what the Android plugin's merger makes of it, as far as tests see it. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:android="http://schemas.android.com/apk/res/android">
  <xsl:param name="package" />
  <xsl:param name="version" />
  <xsl:param name="minSdk" />
  <xsl:param name="targetSdk" />
  <xsl:param name="library" />
  <xsl:param name="datawedge" />

  <xsl:template match="/manifest">
    <xsl:copy>
      <xsl:attribute name="package"><xsl:value-of select="$package" /></xsl:attribute>
      <xsl:attribute name="android:versionCode">1</xsl:attribute>
      <xsl:attribute name="android:versionName"><xsl:value-of select="$version" /></xsl:attribute>
      <xsl:apply-templates select="@*" />
      <uses-sdk android:minSdkVersion="{$minSdk}" android:targetSdkVersion="{$targetSdk}" />
      <xsl:apply-templates select="node()" />
      <xsl:copy-of select="document($library)/manifest/*" />
      <xsl:copy-of select="document($datawedge)/manifest/*" />
    </xsl:copy>
  </xsl:template>

  <xsl:template match="@*|node()">
    <xsl:copy><xsl:apply-templates select="@*|node()" /></xsl:copy>
  </xsl:template>
</xsl:stylesheet>
