"""Files and wires to core and back: DICOM, NIfTI, NRRD/MHA, raster images, video, SEG and SR."""
