/** A container on a dock. */
export const ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5fa5"/>' +
  '<path d="M6 10h20v9H6z" fill="#fff"/><path d="M10 12.500v4M14 12.500v4M18 12.500v4M22 12.500v4" stroke="#0b5fa5" stroke-width="1.600"/>' +
  '<path d="M5 22.500h22M9 22.500v4M23 22.500v4" stroke="#8fd0ff" stroke-width="2" stroke-linecap="round"/></svg>'
