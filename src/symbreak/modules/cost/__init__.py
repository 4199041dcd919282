"""J and its gradient of any module at many theta."""
